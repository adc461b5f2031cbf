interface TestEvent {
  type: string
  data: { file?: string }
}

/** A reporter for `node --test`: the file of each test that fails, a line each, once. */
// oxlint-disable-next-line import/no-default-export -- the test runner takes a reporter by that name
export default async function* redFiles(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const told = new Set<string>()
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || !data.file || told.has(data.file)) continue
    told.add(data.file)
    yield `${data.file}\n`
  }
}
