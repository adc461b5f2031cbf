import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bareArguments, lineOfStep, readInstructions, syntaxImage } from './dockerfile.ts'

const text = String.raw`# syntax=docker/dockerfile:1
FROM busybox:1 AS build
ARG TOKEN
ARG A B=1 \
    C
# RUN commented
run echo one \
  # between
  && echo two
RUN <<EOF
ARG NOT_ONE
EOF
COPY . /src
RUN true
RUN true
`

test('instructions come with their lines; continuations, comments and here-documents are understood', () => {
  const found = readInstructions(text).map(({ line, name, rest }) => `${line} ${name} ${rest}`)
  assert.deepEqual(found, [
    '2 FROM busybox:1 AS build',
    '3 ARG TOKEN',
    '4 ARG A B=1 C',
    '7 RUN echo one && echo two',
    '10 RUN <<EOF',
    '13 COPY . /src',
    '14 RUN true',
    '15 RUN true',
  ])
})

test('arguments without a default are found once', () => {
  assert.deepEqual(bareArguments(readInstructions(text)), ['TOKEN', 'A', 'C'])
})

test('a step leads to its line, unless two are written the same', () => {
  const instructions = readInstructions(text)
  assert.equal(lineOfStep(instructions, '[build 2/5] RUN echo one   && echo two'), 7)
  assert.equal(lineOfStep(instructions, '[3/5] COPY . /src'), 13)
  assert.equal(lineOfStep(instructions, '[4/5] RUN true'), null)
  assert.equal(lineOfStep(instructions, '[4/5] RUN absent'), null)
})

test('another escape character and Windows line ends', () => {
  const found = readInstructions('# escape=`\r\nFROM a\r\nRUN b `\r\n c\r\n')
  assert.deepEqual(
    found.map(({ line, name, rest }) => [line, name, rest]),
    [
      [2, 'FROM', 'a'],
      [3, 'RUN', 'b c'],
    ],
  )
})

test('a syntax line counts at the top only', () => {
  assert.equal(syntaxImage(text), 'docker/dockerfile:1')
  assert.equal(syntaxImage('FROM a\n# syntax=b\n'), null)
  assert.equal(syntaxImage(''), null)
})
