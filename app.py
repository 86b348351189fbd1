"""The web app: `streamlit run app.py` serves it on 127.0.0.1:8501."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from streamlit.starlette import App

from cxr_app import log_privacy
from cxr_app.audit.event import AuditKind
from cxr_app.audit.syslog import check_syslog_server
from cxr_app.errors import CxrError
from cxr_app.json_log import write_json_log
from cxr_app.measured import ErrorCounter
from cxr_app.settings import Settings
from cxr_app.ui import auditing, resources
from cxr_app.ui.pages import PAGES
from cxr_app.ui.server import (
    error_page,
    film_route,
    monitoring_routes,
    sign_in,
    stow_route,
    upload_spool,
)
from cxr_app.ui.server.allowed_hosts import AllowedHosts
from cxr_app.ui.server.current_page import CurrentPage
from cxr_app.ui.server.gc_freeze import freeze_after_start
from cxr_app.ui.server.page_head import PageHead
from cxr_app.ui.server.rate_limits import RateLimits
from cxr_app.ui.server.security_headers import SecurityHeaders
from cxr_app.ui.server.static_cache import StaticCache
from cxr_app.ui.server.tcp_nodelay import disable_nagle
from cxr_app.ui.server.unknown_addresses import UnknownAddresses
from cxr_app.written_settings import in_words, unknown_variables

OWN_LOGGERS = (__name__, "cxr_app", "training")


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[None]:
    """Start what runs beside the pages: engine, jobs, retention, DICOM processes."""
    disable_nagle()
    note_start()
    resources.syslog()
    resources.supervisor()
    resources.retention()
    resources.sender()
    resources.prefetcher()
    resources.receiver()
    freezing = asyncio.create_task(freeze_after_start())
    yield
    freezing.cancel()
    resources.audit().record(AuditKind.STOPPED)
    resources.close()


def note_start() -> None:
    """Record the start in the audit, with the names of the settings that the site has changed."""
    values = resources.settings().model_dump(mode="json")
    defaults = Settings.model_construct().model_dump(mode="json")
    detail = auditing.changed_settings(defaults, values)
    resources.audit().record(AuditKind.STARTED, detail=detail)


def print_log() -> None:
    """Print own warnings and errors: Python does so only as long as no handler is set."""
    printer = logging.StreamHandler()
    printer.setLevel(logging.WARNING)
    printer.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in OWN_LOGGERS:
        logging.getLogger(name).addHandler(printer)


def warn_of_unknown_settings() -> None:
    """Log the variables that may be mistyped settings."""
    for variable, similar in unknown_variables(Settings.variables(), os.environ).items():
        logging.getLogger(__name__).warning("%s", in_words(variable, similar))


def check() -> None:
    """Exit with a one-line message if the settings or the worklist cannot be used."""
    try:
        auth = sign_in.auth_section()
        sign_in.check_sign_in(resources.settings(), st.get_option("server.address"), auth)
        sign_in.bind_windows(resources.settings())
        check_syslog_server(resources.settings())
        resources.worklist()
        resources.audit()
        write_json_log(resources.settings().log_file)
        warn_of_unknown_settings()
    except CxrError as error:
        sys.exit(f"The app cannot start. {error}")


log_privacy.hide_messages(at_terminal=True)
logging.getLogger().addHandler(ErrorCounter())
print_log()
check()
resources.engine()  # first of all that starts: its process takes as long as the rest
upload_spool.install(resources.settings().incoming_dir)
app = st.App(
    "cxr_app/ui/script.py",
    lifespan=lifespan,
    routes=[*monitoring_routes.routes(), *film_route.routes(), *stow_route.routes()],
    middleware=[
        Middleware(AllowedHosts, resources.settings().host_names),
        Middleware(RateLimits, resources.settings()),
        Middleware(sign_in.SignIn, resources.settings(), resources.sign_in_sessions()),
        Middleware(StaticCache),
        Middleware(SecurityHeaders),
        Middleware(UnknownAddresses, film_route.base_path(), [each.file for each in PAGES]),
        Middleware(PageHead),
        Middleware(CurrentPage),
    ],
    on_script_error=error_page.show_error,
)
