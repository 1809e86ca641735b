"""What we need from the world, as Protocols, and the messages that cross them."""
