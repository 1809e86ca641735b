"""The asyncio process that ends mutual TLS and speaks wire; no Django, no database."""
