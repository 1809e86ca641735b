"""What people and foreign systems see: portal, console, EMT interface."""
