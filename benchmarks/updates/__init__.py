"""The update benchmark: what a new version of real packages costs the link, the sender and the receiver, beside every peer."""
