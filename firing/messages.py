"""The messages between master and workers besides Locust's own. None of them holds a secret: they travel unencrypted.

A worker says who it is (HELLO); the master says which corpus it needs (PREPARE); the worker opens or builds it and says
so (PREPARED), or why it can't (REFUSED). While it fires its recordings go with Locust's reports, and as RECORDS where
none is due; the master says up to which it has them (TAKEN). STOP has the workers end firing and send what is left,
ENDED says why there is nothing to do for a worker, FAILED why a worker could not begin.
"""

from __future__ import annotations

from typing import Final

HELLO: Final = "gatecrash_hello"
PREPARE: Final = "gatecrash_prepare"
PREPARED: Final = "gatecrash_prepared"
REFUSED: Final = "gatecrash_refused"
RECORDS: Final = "gatecrash_records"
TAKEN: Final = "gatecrash_taken"
STOP: Final = "gatecrash_stop"
ENDED: Final = "gatecrash_ended"
FAILED: Final = "gatecrash_failed"

# A worker that says nothing for this long is lost; Locust's own judgement, which ends the test with the last worker,
# comes after it.
LOST_SECONDS: Final = 10.0
LOCUST_LIVENESS: Final = 12
# A worker that doesn't hear its master for this long stops firing: nobody would end it.
MASTER_SILENT_SECONDS: Final = 15.0
