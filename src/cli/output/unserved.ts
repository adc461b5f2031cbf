import { unservedName, type UnservedPort } from '../../domain/endpoint.ts'

/** A port that another program has, and what to do. */
export function describeUnserved(unserved: UnservedPort): string {
  const { port, holder } = unserved
  const who = holder ? `process ${holder.pid} (${holder.program}) has it` : 'another program has it'
  return `port ${port} of ${unservedName(unserved)} is served by nobody: ${who}; when that has ended the rack takes it again`
}
