import { useMemo, useState } from 'react'
import { CopyButton } from '../copy-button.tsx'
import { ChevronDownIcon, ChevronRightIcon, LockIcon, SearchIcon, WrapIcon } from '../icons.tsx'
import { Plain } from '../plain/plain.tsx'
import classes from './arguments.module.css'
import { type Node, readTree } from './json-tree.ts'
import { foldedAtFirst, isHit, isMasked, type Line, linesOf, membersOf, sizeWords } from './lines.ts'

type Props = {
  /** JSON text: parsing it here would lose digits that a double cannot hold. */
  readonly json: string
  /** Shows what differs from this. */
  readonly before?: string
  readonly label?: string
  /** Search and wrapping are offered from this many lines on. */
  readonly toolsFrom?: number
}

/** What a call was given: typed, foldable, searchable, with masked secrets marked as such. */
export function Arguments({ json, before, label = 'Arguments', toolsFrom = 8 }: Props) {
  const root = useMemo(() => readTree(json), [json])
  const earlier = useMemo(() => (before === undefined ? undefined : (readTree(before) ?? undefined)), [before])
  const [folded, setFolded] = useState<ReadonlySet<string>>(() => (root ? foldedAtFirst(root) : new Set()))
  const [isWrapped, setWrapped] = useState(true)
  const [sought, setSought] = useState('')
  const isSearching = sought.trim() !== ''
  const lines = useMemo(
    () => (root ? linesOf(root, isSearching ? new Set() : folded, earlier) : []),
    [root, folded, earlier, isSearching],
  )
  if (!root) return <pre className={classes.raw}>{json}</pre>
  const hits = isSearching ? lines.filter((line) => isHit(line, sought)).length : 0
  const toggle = (path: string): void => {
    const next = new Set(folded)
    if (!next.delete(path)) next.add(path)
    setFolded(next)
  }
  return (
    <section className={classes.arguments} aria-label={label}>
      <div className={classes.tools} data-row={lines.length >= toolsFrom || undefined}>
        {lines.length >= toolsFrom && (
          <>
            <label className={classes.search}>
              <SearchIcon size={13} />
              <span className="cs-hidden">Search in {label.toLowerCase()}</span>
              <input value={sought} onChange={(event) => setSought(event.currentTarget.value)} placeholder="Find" />
            </label>
            {isSearching && (
              <span className={classes.hits} role="status">
                {hits} {hits === 1 ? 'match' : 'matches'}
              </span>
            )}
          </>
        )}
        <span className={classes.grow} />
        <button
          type="button"
          className={classes.tool}
          aria-pressed={isWrapped}
          aria-label="Wrap long lines"
          onClick={() => setWrapped(!isWrapped)}
        >
          <WrapIcon size={14} />
        </button>
        <CopyButton text={json} what={label.toLowerCase()} />
      </div>
      <div className={classes.lines} data-wrapped={isWrapped || undefined} tabIndex={-1}>
        {lines.slice(1).map((line) => (
          <TreeLine
            key={line.path}
            line={line}
            isHit={isSearching && isHit(line, sought)}
            onToggle={() => toggle(line.path)}
          />
        ))}
        {lines.length === 1 && <OnlyLine node={root} />}
      </div>
    </section>
  )
}

function OnlyLine({ node }: { readonly node: Node }) {
  const isEmpty = node.is === 'object' || node.is === 'list'
  return (
    <div className={classes.line}>
      {isEmpty ? <span className={classes.none}>No arguments</span> : <Value node={node} />}
    </div>
  )
}

type LineProps = { readonly line: Line; readonly isHit: boolean; readonly onToggle: () => void }

function TreeLine({ line, isHit, onToggle }: LineProps) {
  const { depth, name, node, isFolded, change, before } = line
  const canFold = membersOf(node).length > 0
  const words = change && { added: 'added', removed: 'removed', changed: 'changed' }[change]
  return (
    <div
      className={classes.line}
      style={{ paddingLeft: (depth - 1) * 16 }}
      data-hit={isHit || undefined}
      data-change={change}
    >
      {canFold ? (
        <button
          type="button"
          className={classes.fold}
          aria-expanded={!isFolded}
          aria-label={`${isFolded ? 'Unfold' : 'Fold'} ${name ?? ''}`}
          onClick={onToggle}
        >
          {isFolded ? <ChevronRightIcon size={12} /> : <ChevronDownIcon size={12} />}
        </button>
      ) : (
        <span className={classes.fold} />
      )}
      {words && <span className={classes.change}>{words}</span>}
      <span className={classes.name}>{name !== null && <Plain text={name} />}</span>
      {canFold || node.is === 'object' || node.is === 'list' ? (
        <span className={classes.size}>{sizeWords(node)}</span>
      ) : (
        <span className={classes.value}>
          {before && (
            <>
              <del>
                <Value node={before} />
              </del>{' '}
            </>
          )}
          <Value node={node} />
        </span>
      )}
    </div>
  )
}

function Value({ node }: { readonly node: Node }) {
  if (node.is === 'object' || node.is === 'list') return <span className={classes.size}>{sizeWords(node)}</span>
  if (node.is === 'number') return <span className={classes.number}>{node.written}</span>
  if (node.is === 'word') return <span className={classes.word}>{node.written}</span>
  if (isMasked(node.text)) {
    return (
      <span className={classes.masked}>
        <LockIcon size={12} /> masked secret
      </span>
    )
  }
  return (
    <span className={classes.text}>
      {node.text === '' ? <span className={classes.none}>empty text</span> : <Plain text={node.text} />}
    </span>
  )
}
