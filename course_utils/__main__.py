"""`python -m course_utils doctor` does what `course doctor` does."""

import sys

from course_utils.cli import main

sys.exit(main())
