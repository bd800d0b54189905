"""Other libraries' training loops, seen and steered from the console: one file each, which alone imports that library."""
