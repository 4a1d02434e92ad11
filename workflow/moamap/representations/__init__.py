"""What a profile is turned into before distances are taken."""
