"""How nbgrader marks the course's assignments; `course assignment` lays a copy beside what it writes.

nbgrader runs it in its own environment, which need not have the course: notebooks run in the kernel of
`kernels/` beside this file, which `course assignment` points to the course's Python.
"""

import os
import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import ClearSolutions, Execute

HERE = Path(__file__).parent
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it calls its alembic


class LeaveTheCoursesStubs(ClearSolutions):
    """An answer becomes the stub that stands in the course's own notebook, so that Run All works in both."""

    def preprocess_cell(self, cell, resources, cell_index):
        if "course_stub" in cell.metadata:
            cell.source = cell.metadata.pop("course_stub")
            return cell, resources
        return super().preprocess_cell(cell, resources, cell_index)


class ExecuteInTheCourse(Execute):
    """Runs a submission in the course's kernel, with the numbers that were drawn for its learner."""

    def create_kernel_manager(self):
        manager = super().create_kernel_manager()
        manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=[str(HERE / "kernels")])
        return manager

    def preprocess(self, nb, resources, **how):
        variants = nb.metadata.get("course_variants", False)
        self.learner = resources["nbgrader"]["student"] if variants else ""
        os.environ["COURSE_VARIANT"] = self.learner  # the kernel inherits it
        return super().preprocess(nb, resources, **how)

    def preprocess_cell(self, cell, resources, index):
        """Say whose numbers count once more before each mark: a submission may have said otherwise."""
        source = cell.source
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = f"import os\nos.environ['COURSE_VARIANT'] = {self.learner!r}\n{source}"
        try:
            return super().preprocess_cell(cell, resources, index)
        finally:
            cell.source = source


def _with(replacement, original, preprocessors):
    """nbgrader's own list of steps, with one of them replaced."""
    return [replacement if step is original else step for step in preprocessors.default()]


c = get_config()  # noqa: F821  nbgrader defines it
c.CourseDirectory.root = str(HERE)
c.GenerateAssignment.preprocessors = _with(
    LeaveTheCoursesStubs, ClearSolutions, GenerateAssignment.preprocessors
)
c.Autograde.autograde_preprocessors = _with(ExecuteInTheCourse, Execute, Autograde.autograde_preprocessors)
c.Execute.timeout = 900  # seconds a cell: clinics train, and a machine that marks thirty is busy
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your code here")'}
