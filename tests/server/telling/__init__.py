"""Tests of telling receivers, against real servers on this machine."""
