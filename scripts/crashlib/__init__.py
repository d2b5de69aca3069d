"""crashlib - what scripts/crash.py is made of: from bytes that a dying kernel sent to a report."""
