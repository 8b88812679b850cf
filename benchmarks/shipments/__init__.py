"""What it costs to write a shipment, and to know how many stand how."""
