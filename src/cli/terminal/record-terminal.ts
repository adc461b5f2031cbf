import type { Terminal } from '../../domain/terminal.ts'
import { createLineSplitter } from '../../lib/lines.ts'
import type { World } from '../world.ts'

/** A line that an attached process wrote, as NDJSON has it. */
export interface OutputRecord {
  type: 'log'
  stream: 'stdout' | 'stderr'
  text: string
  time: string
}

/** An attached process whose output becomes records. */
export interface RecordTerminal {
  terminal: Terminal
  /** Hands out what did not end in a newline. */
  end(): void
}

export interface RecordTerminalOptions {
  stdin: World['stdin']
  hasInput: boolean
  record: (line: OutputRecord) => void
  /** Settles when more may be recorded. */
  ready: () => Promise<void>
}

/** Cuts the output of a process into records; both of its streams keep their own lines. */
export function openRecordTerminal({
  stdin,
  hasInput,
  record,
  ready,
}: RecordTerminalOptions): RecordTerminal {
  const splitters = { stdout: createLineSplitter(), stderr: createLineSplitter() }
  const say = (stream: 'stdout' | 'stderr', lines: string[]) => {
    const time = new Date().toISOString()
    for (const text of lines) record({ type: 'log', stream, text, time })
  }
  return {
    terminal: {
      tty: false,
      rows: 24,
      columns: 80,
      input: hasInput ? (stdin as AsyncIterable<Uint8Array>) : null,
      async output(stream, chunk) {
        say(stream, splitters[stream].push(chunk))
        await ready()
      },
      onResize: () => undefined,
    },
    end() {
      say('stdout', splitters.stdout.end())
      say('stderr', splitters.stderr.end())
    },
  }
}
