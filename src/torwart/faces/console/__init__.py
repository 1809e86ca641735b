"""The console: what the provider's people see and do (P-2). Queue left, case right, keys below."""
