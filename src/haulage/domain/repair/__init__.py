"""Content found damaged is named, and replaced from whoever holds the right bytes."""
