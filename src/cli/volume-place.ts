import { RackError } from '../domain/error.ts'
import type { Session } from './session.ts'

/** `APP/VOLUME`, or a volume of the app that the command is about. @throws usage */
export function volumePlace(session: Session, word: string): { app: string; volume: string } {
  const [first = '', second, ...more] = word.split('/')
  if (second === undefined) return { app: session.app().name, volume: first }
  const named = session.options.text('app')
  if (first === '' || second === '' || more.length > 0 || (named !== undefined && named !== first)) {
    throw new RackError('usage', `"${word}" is no volume of an app`, { hint: 'Name it so: APP/VOLUME' })
  }
  return { app: first, volume: second }
}
