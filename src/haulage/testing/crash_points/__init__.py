"""Every durable step of every scenario, with a death at each: by a kill, and by a power cut under four models of what it leaves."""
