import type { Answer, Wire } from './request.ts'
import { readForm } from './form.ts'
import { escaped } from './xml.ts'
import { writeMembers } from './xml-value.ts'

const headers = { 'content-type': 'text/xml' }

/** A form in, XML out: `<ActionResponse><ActionResult>…`. */
export const query: Wire = {
  action: ({ body }) => new URLSearchParams(body.toString('utf8')).get('Action') ?? '',
  read: ({ body }, { input }) => readForm(input, new URLSearchParams(body.toString('utf8'))),
  write: ({ name, output }, value, requestId): Answer => {
    const result =
      output.kind === 'unit' ? '' : `<${name}Result>${writeMembers(output, value)}</${name}Result>`
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`
    return { status: 200, headers, body: `<${name}Response>${result}${metadata}</${name}Response>` }
  },
  error: ({ message, status }, { code, body }, requestId): Answer => {
    const type = status < 500 ? 'Sender' : 'Receiver'
    const error = `<Type>${type}</Type><Code>${code}</Code><Message>${escaped(message)}</Message>${body}`
    return {
      status,
      headers,
      body: `<ErrorResponse><Error>${error}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
    }
  },
}
