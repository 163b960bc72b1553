"""What the shop is made of that others have made: its licences, and what is known to be wrong."""
