import { createLineSplitter, type LineSplitter } from '../../../lib/lines.ts'
import type { BuildKitStatus, Vertex } from './buildkit-status.ts'

/** Where a build failed, as far as its progress tells. */
export interface FailedStep {
  /** `[3/5] RUN npm ci`. */
  step: string
  error: string
  /** The last lines of the step's output, oldest first. */
  tail: string[]
}

/** Turns BuildKit's progress into lines for people, and remembers how it ended. */
export interface BuildLog {
  push(status: BuildKitStatus): string[]
  failed(): FailedStep | null
}

const tailLines = 20

interface Step {
  name: string
  announced: boolean
  settled: boolean
  /** Of stdout and stderr: half a line of one may be followed by the other. */
  lines: Map<number, LineSplitter>
  tail: string[]
}

/**
 * Lines are `[2/5] RUN make` when a step begins, its output, then `[2/5] DONE 0.3s`; `[2/5] RUN make CACHED` for one
 * whose result was kept. What BuildKit does for itself is left out unless it fails.
 */
export function createBuildLog(): BuildLog {
  const steps = new Map<string, Step>()
  let failure: FailedStep | null = null

  const stepOf = ({ digest, name }: Pick<Vertex, 'digest' | 'name'>): Step => {
    const fresh = () => ({ name, announced: false, settled: false, lines: new Map(), tail: [] })
    const step: Step = steps.get(digest) ?? fresh()
    steps.set(digest, step)
    // An instruction over several lines comes with the blanks that began them.
    if (name !== '') step.name = name.replaceAll(/\s+/g, ' ')
    return step
  }

  const remember = (step: Step, lines: string[]): string[] => {
    const texts = lines.map(lastRedrawn)
    step.tail = [...step.tail, ...texts].slice(-tailLines)
    return texts
  }

  const follow = (vertex: Vertex): string[] => {
    const step = stepOf(vertex)
    if (step.settled || vertex.startedMs === null) return []
    const isShown = !isInternal(step.name)
    const out: string[] = []
    if (!step.announced && isShown && !vertex.cached) out.push(step.name)
    step.announced ||= !vertex.cached
    if (vertex.completedMs === null) return out
    step.settled = true
    for (const splitter of step.lines.values()) out.push(...remember(step, splitter.end()))
    if (vertex.error !== '') {
      failure = { step: step.name, error: vertex.error, tail: step.tail }
      return [...out, `${label(step.name)} ERROR ${vertex.error}`]
    }
    if (!isShown) return out
    const seconds = Math.max(0, (vertex.completedMs - vertex.startedMs) / 1000).toFixed(1)
    return [...out, vertex.cached ? `${step.name} CACHED` : `${label(step.name)} DONE ${seconds}s`]
  }

  return {
    push({ vertexes, logs, warnings }) {
      const begun = vertexes.filter(({ completedMs }) => completedMs === null).flatMap(follow)
      const written = logs.flatMap(({ vertex, stream, text }) => {
        const step = stepOf({ digest: vertex, name: '' })
        const splitter = step.lines.get(stream) ?? createLineSplitter()
        step.lines.set(stream, splitter)
        return remember(step, splitter.push(text))
      })
      const ended = vertexes.filter(({ completedMs }) => completedMs !== null).flatMap(follow)
      return [...begun, ...written, ...ended, ...warnings.map(({ short }) => `WARNING ${short}`)]
    },
    failed: () => failure,
  }
}

/** `[2/5]` of `[2/5] RUN make`; the whole name where there is no number. */
function label(name: string): string {
  return /^\[[^\]]*\d+\/\d+\]/.exec(name)?.[0] ?? name
}

function isInternal(name: string): boolean {
  return (
    name.startsWith('[internal]') || name === 'copy /context /' || name.startsWith('resolve image config')
  )
}

/** Of a line that redraws itself with carriage returns the last state. */
function lastRedrawn(line: string): string {
  return line.slice(line.lastIndexOf('\r') + 1)
}
