import type { Control } from '../../domain/control.ts'
import type { RackError } from '../../domain/error.ts'
import { showProgress } from '../output/progress.ts'
import type { Session } from '../session.ts'

/** Shows on stderr what an account does, until disposed; an interrupt ends the wait with `left`. */
export function watchStacks({ output, world }: Session, left: RackError): Control & Disposable {
  const interrupt = new AbortController()
  const stack = new DisposableStack()
  const view = stack.use(showProgress(output))
  stack.defer(world.onLeave(() => interrupt.abort(left)))
  return {
    signal: interrupt.signal,
    report: (progress) => view.report(progress),
    [Symbol.dispose]: () => stack.dispose(),
  }
}
