import type { LabelRule } from './label-rule.ts'

/** What visitors are told of https, whatever the port of the file. */
export const httpsLabelRules: Record<string, LabelRule> = {
  'https.redirect': {
    verdict: 'honoured',
    why: 'sends visitors by http to https (308, the path kept) where a certificate for the host was brought; `false` serves both',
    partly: ['methodsKept'],
    kind: 'boolean',
    example: 'false',
    default: 'true',
  },
  'https.hsts': {
    verdict: 'honoured',
    why: 'seconds for which browsers that came by https come by it alone (`Strict-Transport-Security`); nobody can take that back for them',
    needs: 'strictTransport',
    kind: 'seconds',
    example: '86400',
    min: 0,
    max: 63_072_000,
    default: 'nothing is said',
  },
}
