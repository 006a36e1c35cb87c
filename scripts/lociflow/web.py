"""Open addresses: to which places a redirect may lead, and what logs in."""

import base64
import netrc
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from pathlib import Path
from typing import Any

from lociflow.command import UserError
from lociflow.masking import revealed


def open_address(url: str, headers: dict[str, str], timeout: float, method: str = "GET") -> Any:
    """Ask an http, https or ftp address.

    Redirects are followed up to five times, and never to another scheme, but from http to https: what https promises
    of a file must not end on the way. A host that the user's ``~/.netrc`` names is sent the login that stands there, by
    https only; what it redirects to is not, unless it is named itself.

    Parameters
    ----------
    url
        The address, which may be masked (:mod:`lociflow.masking`).
    headers
        Of the request.
    timeout
        In seconds, to connect and between two pieces of data.
    method
        Of HTTP.

    Raises
    ------
    UserError
        ``~/.netrc`` cannot be read, or others can read it.
    OSError, http.client.HTTPException, EOFError, ValueError
        As :func:`urllib.request.urlopen`.
    """
    request = urllib.request.Request(revealed(url), headers=headers, method=method)
    if "@" in request.host:
        # urllib would ask the network for a host of the name LOGIN@HOST.
        raise ValueError("it holds a login; write that into ~/.netrc")
    _log_in(request)
    return _OPENER.open(request, timeout=timeout)


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = 5

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        place = urllib.parse.urlsplit(newurl)
        if (place.scheme != req.type and (req.type, place.scheme) != ("http", "https")) or "@" in place.netloc:
            raise urllib.error.HTTPError(
                req.full_url, code, f"{msg} - Redirection to url '{newurl}' is not allowed", _headers(headers), fp
            )
        found = super().redirect_request(req, fp, code, msg, headers, newurl)
        if found is not None:
            _log_in(found)
        return found


def _headers(found: Any) -> Message:
    return found if isinstance(found, Message) else Message()


_OPENER = urllib.request.build_opener(_Redirects)


def _log_in(request: urllib.request.Request) -> None:
    """Add the login of ``~/.netrc`` to a request; urllib hands what is added so to no redirect."""
    path = Path.home() / ".netrc"
    if request.type != "https" or not path.is_file():
        return
    host = urllib.parse.urlsplit(request.full_url).hostname or ""
    try:
        found = netrc.netrc().hosts.get(host)
    except netrc.NetrcParseError as error:
        raise UserError(f"{path}: cannot be used ({error.msg}); correct it, or chmod 600 it") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); correct its permissions") from None
    if found:
        login, _, password = found
        token = base64.b64encode(f"{login}:{password}".encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
