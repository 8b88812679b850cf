"""Places under one name, and what that means for the packages assigned to it."""
