"""The jobs that were requested. Each method is one transaction."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, aliased

from cxr_app.errors import JobNotFoundError
from cxr_app.progress import Progress
from cxr_app.worklist.job import Job, JobState
from cxr_app.worklist.locking import take_turns
from cxr_app.worklist.tables import JobRow
from cxr_app.worklist.transactions import Transactions

ACTIVE = (JobState.SCHEDULED, JobState.RUNNING)


class JobQueue(Transactions):
    """Long-running jobs: requested by a page, done by a process, shown in every window."""

    def submit(self, kind: str, parameters: Mapping[str, Any]) -> Job:
        """Request a job; if the same one is active already, return that."""
        with self._database.writing() as session:
            same = [job for job in _active(session, kind) if job.parameters == dict(parameters)]
            if same:
                return _as_job(same[0])
            row = JobRow(
                id=uuid4().hex,
                kind=kind,
                parameters=dict(parameters),
                state=JobState.SCHEDULED,
                requested_at=self._clock(),
            )
            session.add(row)
            session.flush()
            return _as_job(row)

    def resume(self, job_id: str, **changed_parameters: Any) -> Job:
        """Resume an ended job; an active one is left unchanged.

        Raises
        ------
        JobNotFoundError
            If no job has this id.
        """
        with self._database.writing() as session:
            row = _locked(session, job_id)
            if row.state not in ACTIVE:
                row.parameters = {**row.parameters, **changed_parameters}
                row.state = JobState.SCHEDULED
                row.progress = _as_job(row).progress.resumed().to_json()
                row.started_at = row.ended_at = row.heartbeat_at = None
                row.pid = row.process_started = row.message = None
                row.cancelling = False
            return _as_job(row)

    def cancel(self, job_id: str) -> None:
        """Request that a job stop; one that has not been started is cancelled at once.

        Raises
        ------
        JobNotFoundError
            If no job has this id.
        """
        with self._database.writing() as session:
            row = _locked(session, job_id)
            if row.state is JobState.SCHEDULED:
                row.state, row.ended_at = JobState.CANCELLED, self._clock()
            row.cancelling = row.state is JobState.RUNNING

    def claim(self, host: str, kinds: Collection[str]) -> Job | None:
        """Claim the oldest waiting job of these kinds for a machine that runs none of its kind.

        No two servers get the same job, and no two servers of one machine two jobs of a kind.
        """
        oldest = select(JobRow).where(JobRow.state == JobState.SCHEDULED, JobRow.kind.in_(kinds))
        oldest = oldest.where(JobRow.kind.not_in(_kinds_running_on(host)))
        oldest = oldest.order_by(JobRow.requested_at, JobRow.number).limit(1)
        with self._database.writing() as session:
            take_turns(session, [f"jobs of {host}"])
            row = session.scalar(oldest.with_for_update(skip_locked=True))
            if row is None:
                return None
            row.state, row.host = JobState.RUNNING, host
            row.started_at = row.heartbeat_at = self._clock()
            return _as_job(row)

    def begun(self, job_id: str, pid: int, process_started: float) -> None:
        """Record which process does a claimed job."""
        self._change(job_id, None, pid=pid, process_started=process_started)

    def report(self, job: Job, progress: Progress) -> None:
        """Record that a job runs, and its progress."""
        self._change(job.id, job.pid, progress=progress.to_json())

    def end(self, job: Job, state: JobState, message: str, progress: Progress) -> None:
        """Record how a job ended, unless another process has taken it up since."""
        self._change(
            job.id,
            job.pid,
            state=state,
            message=message,
            progress=progress.to_json(),
            ended_at=self._clock(),
            cancelling=False,
        )

    def job(self, job_id: str) -> Job:
        """Return one job.

        Raises
        ------
        JobNotFoundError
            If no job has this id.
        """
        with self._database.reading() as session:
            row = session.scalar(select(JobRow).where(JobRow.id == job_id))
            if row is None:
                raise _not_found()
            return _as_job(row)

    def running(self) -> list[Job]:
        """Return the jobs in state RUNNING."""
        statement = select(JobRow).where(JobRow.state == JobState.RUNNING)
        with self._database.reading() as session:
            return [_as_job(row) for row in session.scalars(statement.order_by(JobRow.number))]

    def newest(self, kind: str, limit: int = 20) -> list[Job]:
        """Return the jobs of a kind, the newest request first."""
        statement = select(JobRow).where(JobRow.kind == kind)
        statement = statement.order_by(JobRow.requested_at.desc(), JobRow.number.desc())
        with self._database.reading() as session:
            return [_as_job(row) for row in session.scalars(statement.limit(limit))]

    def _change(self, job_id: str, process: int | None, **values: Any) -> None:
        """Change a running job, if it still belongs to this process."""
        same_process = JobRow.pid.is_(None) if process is None else JobRow.pid == process
        statement = update(JobRow).where(
            JobRow.id == job_id, JobRow.state == JobState.RUNNING, same_process
        )
        with self._database.writing() as session:
            session.execute(statement.values(heartbeat_at=self._clock(), **values))


def _active(session: Session, kind: str) -> Iterable[JobRow]:
    return session.scalars(select(JobRow).where(JobRow.kind == kind, JobRow.state.in_(ACTIVE)))


def _kinds_running_on(host: str) -> Select[str]:
    job = aliased(JobRow)
    return select(job.kind).where(job.state == JobState.RUNNING, job.host == host)


def _locked(session: Session, job_id: str) -> JobRow:
    row = session.scalar(select(JobRow).where(JobRow.id == job_id).with_for_update())
    if row is None:
        raise _not_found()
    return row


def _not_found() -> JobNotFoundError:
    return JobNotFoundError("There is no such job. Choose one from the list.")


def _as_job(row: JobRow) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        parameters=row.parameters,
        state=row.state,
        requested_at=row.requested_at,
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        ended_at=row.ended_at,
        host=row.host or "",
        pid=row.pid,
        process_started=row.process_started,
        cancelling=bool(row.cancelling),
        progress=Progress.from_json(row.progress) if row.progress else Progress(),
        message=row.message or "",
    )
