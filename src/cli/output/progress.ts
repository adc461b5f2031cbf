import type { Progress } from '../../domain/control.ts'
import { formatDuration } from '../../lib/sizes.ts'
import type { Output } from './output.ts'

/** Shows what a long operation says: drawn on a terminal, plain lines elsewhere. */
export interface ProgressView extends Disposable {
  report(progress: Progress): void
  /** A line of our own between the others. */
  note(text: string): void
  /** The operation has ended: phases without a word of their end end here. */
  settle(): void
}

const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
const framePeriodMs = 100
/** A phase that takes longer is named at its start too where nothing can be drawn. */
const quietMs = 2000

/** Draws on stderr until disposed. */
export function showProgress(output: Output): ProgressView {
  return output.isInteractive ? drawnProgress(output) : plainProgress(output)
}

function plainProgress({ say, colors }: Output): ProgressView {
  const waiting = new Map<string, NodeJS.Timeout>()
  const running = createRunning()
  const stopWaiting = (key: string) => {
    clearTimeout(waiting.get(key))
    waiting.delete(key)
  }
  return {
    note: say,
    report(progress) {
      if (progress.type === 'log') return say(logText(progress, colors.say.dim))
      const key = phaseKey(progress)
      stopWaiting(key)
      running.hear(progress)
      if (progress.state === 'ended') return say(phaseText(progress))
      waiting.set(
        key,
        setTimeout(() => say(`${phaseName(progress)} …`), quietMs),
      )
    },
    settle() {
      for (const key of waiting.keys()) stopWaiting(key)
      for (const phase of running.end()) say(phaseText(phase))
    },
    [Symbol.dispose]() {
      for (const key of waiting.keys()) stopWaiting(key)
    },
  }
}

function drawnProgress(output: Output): ProgressView {
  const { colors } = output
  const running = createRunning()
  let frame = 0
  const dim = colors.say.dim

  const draw = () => {
    frame = (frame + 1) % frames.length
    const phases = running
      .now()
      .map((phase) => `${phaseName(phase)} ${((phase.ms ?? 0) / 1000).toFixed(1)} s`)
    output.draw(phases.length === 0 ? '' : `${frames[frame]} ${phases.join(' · ')}`)
  }
  const print = (text: string) => {
    output.say(text)
    draw()
  }
  const printEnd = (phase: Phase) => print(`${colors.say.green('✓')} ${phaseText(phase)}`)
  const timer = setInterval(() => running.now().length > 0 && draw(), framePeriodMs)
  return {
    note: print,
    report(progress) {
      if (progress.type === 'log') return print(logText(progress, dim))
      running.hear(progress)
      if (progress.state === 'started') draw()
      else printEnd(progress)
    },
    settle() {
      for (const phase of running.end()) printEnd(phase)
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      running.end()
      draw()
    },
  }
}

type Phase = Extract<Progress, { type: 'phase' }>

/** The phases that have begun and not ended, with how long they take by now. */
function createRunning() {
  const running = new Map<string, { phase: Phase; since: number }>()
  const now = (): Phase[] =>
    [...running.values()].map(({ phase, since }) => ({ ...phase, ms: performance.now() - since }))
  return {
    hear(phase: Phase): void {
      if (phase.state === 'started') running.set(phaseKey(phase), { phase, since: performance.now() })
      else running.delete(phaseKey(phase))
    },
    now,
    end(): Phase[] {
      const left = now()
      running.clear()
      return left
    },
  }
}

function phaseKey({ phase, process: type }: Phase): string {
  return `${phase}\n${type ?? ''}`
}

function phaseName({ phase, process: type }: Phase): string {
  return type ? `${phase} ${type}` : phase
}

/** A phase that has ended, on one line. */
export function phaseText(phase: Phase): string {
  const took = phase.ms === undefined ? '' : `  ${formatDuration(phase.ms)}`
  return `${phaseName(phase)}${took}${phase.detail ? `  ${phase.detail}` : ''}`
}

function logText(
  { process: type, text }: Extract<Progress, { type: 'log' }>,
  dim: (text: string) => string,
): string {
  return type ? `${dim(`${type} |`)} ${text.trimEnd()}` : text.trimEnd()
}
