"""Grades a submission for Classroom 50: CLASSROOM/autograders/ASSIGNMENT/autograder.py.

Beside it, in the folder `course`, is a workspace that `lab start` has just made. The assignment's
runtime has {"rust": "stable"}.
"""

import subprocess
import sys
from pathlib import Path

LABS = "server,client"

submission = Path.cwd()
course = Path(__file__).resolve().parent / "course"
# Ubuntu refuses namespaces to programs that it does not know.
subprocess.run(["sudo", "sysctl", "-w", "kernel.apparmor_restrict_unprivileged_userns=0"])
subprocess.run(["cargo", "build", "--quiet"], cwd=course, check=True)
grade = ["target/debug/lab", "grade", submission, "--labs", LABS, "--format", "classroom50"]
with open("result.json", "w") as result:
    sys.exit(subprocess.run(grade, cwd=course, stdout=result).returncode)
