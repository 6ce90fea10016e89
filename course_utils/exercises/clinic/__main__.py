"""`python -m course_utils.exercises.clinic` records the ten patients anew."""

from course_utils.exercises.clinic.data_set import FILE, make

if __name__ == "__main__":
    make()
    print(f"{FILE.name}: {FILE.stat().st_size / 1024:.0f} kB")
