"""Re-used questions to the store; faces and adapters read through these."""
