import { renderErrors } from './errors.ts'

/** Every generated page: its path in the clone, and what makes its text from the code. */
export const pages: Record<string, () => string> = {
  'docs/errors.md': renderErrors,
}
