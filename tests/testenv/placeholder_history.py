# SPDX-License-Identifier: GPL-2.0-or-later
"""What random histories of an OU have in common."""

import time

from testenv.placeholder_worlds import HOUR


class Lived:
    """Has `step(number)`, and `events`: lines that say what happened so far."""

    def live(self, steps):
        """So many steps. Where one fails, all that came before it is printed."""
        try:
            for number in range(steps):
                self.step(number)
        except BaseException:
            print("\n".join(self.events))
            raise


def today():
    """When a history with a domain's certificates begins: these are of today."""
    return int(time.time()) // HOUR * HOUR + HOUR
