import { renderEngines } from './engines/render.ts'
import { renderErrors } from './errors.ts'
import { renderManifest } from './manifest/render.ts'
import { renderSecurity } from './permissions.ts'

/** Every generated page: its path in the clone, and what makes its text from the code. */
export const pages: Record<string, () => string> = {
  'docs/engines.md': renderEngines,
  'docs/errors.md': renderErrors,
  'docs/manifest.md': renderManifest,
  'docs/security.md': renderSecurity,
}
