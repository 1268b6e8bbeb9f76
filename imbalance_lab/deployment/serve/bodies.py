"""Reading the body of an HTTP request: JSON, a form with files, or one image."""

import logging
import sys
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.requests import Request
from starlette.types import Message

from imbalance_lab.deployment.serve.decoding import Files
from imbalance_lab.deployment.serve.limits import Limits, RequestError

FIELD = "files"
JSON = "application/json"
FORM = "multipart/form-data"

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # what is wrong with a form is told to its sender
MultiPartParser.spool_max_size = sys.maxsize  # no upload is written to a disk, as LitServe has it too


@dataclass(frozen=True)
class BodyReader:
    """Reads what the model takes, and no more bytes than the limits allow.

    Args:
        takes_images: whether bodies are images, else JSON.
        limits: of a request.
    """

    takes_images: bool
    limits: Limits

    async def read(self, request: Request) -> bytes | Files:
        """The JSON as it came, or the files by name.

        Raises:
            RequestError: for another type (415), for too many bytes (413), for a form that is none.
        """
        media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        is_image = media_type.startswith("image/")
        if not (media_type == FORM or is_image if self.takes_images else media_type == JSON):
            wanted = f"an image as {FORM} in the field {FIELD}, or as image/…" if self.takes_images else JSON
            raise RequestError(f"the content type is {media_type[:80] or 'missing'}: send {wanted}", 415)
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestError("the body is compressed: send it as it is", 415)
        if media_type == FORM:
            return await self._files(Request(request.scope, self._limited(request)))
        body = b"".join([part async for part in Request(request.scope, self._limited(request)).stream()])
        return [("the image", body)] if self.takes_images else body

    async def _files(self, request: Request) -> Files:
        try:
            async with request.form(max_files=self.limits.max_rows, max_fields=0) as form:
                files: Files = []
                for name, file in form.multi_items():
                    if name != FIELD or not isinstance(file, UploadFile):
                        raise RequestError(f"the form has the field {name[:80]!r}: send image files as {FIELD}")
                    files.append((file.filename or f"image {len(files) + 1}", await file.read()))
        except HTTPException as error:  # of the parser
            raise RequestError(f"the form cannot be read ({error.detail}): send image files as {FIELD}") from error
        return files

    def _limited(self, request: Request):  # type: ignore[no-untyped-def]
        """The messages of a request until there are too many bytes."""
        most, received = self.limits.max_bytes, 0
        too_large = RequestError(f"the body has more than --max-bytes={most}: send several requests", 413)
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length[:20]) > most:
            raise too_large

        async def receive() -> Message:
            nonlocal received
            message = await request.receive()
            received += len(message.get("body", b""))
            if received > most:
                raise too_large
            return message

        return receive
