"""How much of the input is used up, for progress and estimates."""

from typing import BinaryIO


class Meter:
    """How many bytes of the input are used up, as they lie on disk; for progress and estimates."""

    def __init__(self) -> None:
        self.finished = 0
        self._raw: BinaryIO | None = None
        self._size = 0
        self._share: float | None = None

    def begin(self, raw: BinaryIO, size: int | None) -> None:
        """A file of `size` bytes is read from now on."""
        self._raw, self._size, self._share = raw, size or 0, None

    def note_share(self, share: float) -> None:
        """So much of the file, between 0 and 1, is read; for formats not read front to back."""
        self._share = share

    def end(self) -> None:
        """The file is read."""
        self.finished += self._size
        self._raw, self._size = None, 0

    @property
    def used(self) -> int:
        """Bytes, all files together. Called by the thread that reads."""
        if self._raw is None or not self._size:
            return self.finished
        if self._share is not None:
            return self.finished + int(self._share * self._size)
        return self.finished + min(self._raw.tell(), self._size)
