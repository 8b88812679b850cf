"""What the definition of a fix means here: it is its owner's word, and every site below the owner hears it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from haulage.base.clock import Clock
from haulage.base.errors import FormatError, NotAllowedError
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.estate.rules import joined_children
from haulage.domain.fixes import records
from haulage.domain.fixes.model import Fix, FixFile
from haulage.engine.database.transaction import Transaction
from haulage.engine.delta.packing import pack_zstd, unpack_zstd
from haulage.engine.protocol.definitions import PACKED_MAX_BYTES, Definition, FixFileState, FixState, state_of
from haulage.engine.servicing.document import from_bytes
from haulage.engine.servicing.errors import DocumentError

KeysOf = Callable[[Transaction, SiteCode], Sequence[str]]
DOCUMENT_MAX_BYTES = 8 << 20
_LEVEL = 9


class FixRules:
    """Fixes go down the tree; a package brings the bundle to where it is assigned."""

    role = "site"

    def __init__(self, code: SiteCode, keys_of: KeysOf, clock: Clock) -> None:
        self._code = code
        self._keys_of = keys_of
        self._clock = clock

    def keys(self, tx: Transaction, definition: Definition) -> Sequence[str]:
        return self._keys_of(tx, definition.owner)

    def audience(self, tx: Transaction, definition: Definition) -> set[SiteCode]:
        tree = estate.hierarchy(tx)
        children = joined_children(tx, self._code)
        return {child for child in children if child != definition.owner and tree.is_within(child, definition.owner)}

    def apply(self, tx: Transaction, definition: Definition) -> None:
        name = definition.id[len(definition.owner) + 1 :]
        if definition.deleted:
            records.remove_fix(tx, name, definition.owner)
            return
        state = state_of(definition, FixState)
        if state.package is not None and state.package[:3] != definition.owner:
            raise NotAllowedError(
                "out-of-scope",
                f"Site {definition.owner} says that fix {name} comes with {state.package}, which is not its package.",
                f"It was refused; look at site {definition.owner}.",
            )
        known = [one for one in records.find_fixes(tx, name) if one.owner == definition.owner]
        since = known[0].known if known else self._clock.now()
        records.put_fix(
            tx,
            Fix(
                fix=state.fix,
                owner=definition.owner,
                revision=definition.revision,
                title=state.title,
                article=state.article,
                origin=state.origin,
                evidence=state.evidence,
                supersedes=state.supersedes,
                contains=state.contains,
                requires=state.requires,
                files=tuple(_file(file) for file in state.files),
                document=_document(state),
                bundle=state.bundle or "",
                bundle_bytes=state.bundle_bytes,
                package=state.package,
                signer=state.signer,
                known=since,
            ),
        )


def fix_state(fix: Fix) -> FixState:
    """The wire state of a fix. Raises FormatError ``fix-too-large``."""
    packed = pack_zstd(fix.document, _LEVEL) if fix.document else b""
    if len(packed) > PACKED_MAX_BYTES or len(fix.document) > DOCUMENT_MAX_BYTES:
        raise FormatError(
            "fix-too-large", f"The definition of {fix.fix} has {len(fix.document)} bytes; too many to be told.", "Divide the fix."
        )
    return FixState(
        fix=fix.fix,
        title=fix.title,
        article=fix.article,
        origin="bundle" if fix.origin == "bundle" else "person",
        evidence=fix.evidence,
        supersedes=fix.supersedes,
        contains=fix.contains,
        requires=fix.requires,
        files=tuple(
            FixFileState(path=file.path, version=file.version, bytes=file.bytes, platform=file.platform) for file in fix.files
        ),
        packed=packed,
        unpacked_bytes=len(fix.document),
        bundle=fix.bundle or None,
        bundle_bytes=fix.bundle_bytes,
        package=fix.package,
        signer=fix.signer,
    )


def _file(state: FixFileState) -> FixFile:
    return FixFile(path=state.path, version=state.version, bytes=state.bytes, platform=state.platform)


def _document(state: FixState) -> bytes:
    """The definition's own bytes, if there is one, and if it speaks of this fix."""
    if not state.packed:
        return b""
    if state.unpacked_bytes > DOCUMENT_MAX_BYTES:
        raise _bad(state, f"it would unfold to {state.unpacked_bytes} bytes")
    try:
        document = unpack_zstd(state.packed, state.unpacked_bytes)
        named = from_bytes(document).id
    except (FormatError, DocumentError) as error:
        raise _bad(state, str(error)) from None
    if named != state.fix:
        raise _bad(state, f"it speaks of {named}")
    return document


def _bad(state: FixState, cause: str) -> FormatError:
    return FormatError("bad-fix", f"The definition of fix {state.fix} is refused: {cause}.", "Look at the site it came from.")
