import { createRequire } from 'node:module'

interface Node {
  type: string
}
interface UsingDeclaration extends Node {
  type: 'UsingDeclaration'
  decls: unknown[]
}
interface ForOf extends Node {
  left: Node
}
interface Walker {
  visitStatement: (this: Walker, statement: Node) => Node
  visitForOfStatement: (this: Walker, statement: ForOf) => ForOf
  visitVariableDeclarators: (this: Walker, declarators: unknown[]) => unknown[]
}

/**
 * Teaches the syntax walker of @swc/core, which dependency-cruiser extends, the statement `using x = …`; without it
 * the walker gives up with "Unknown statement type".
 */
export function readUsingDeclarations(): void {
  const { Visitor } = createRequire(import.meta.url)('@swc/core/Visitor.js') as {
    Visitor: { prototype: Walker }
  }
  const walker = Visitor.prototype
  const { visitStatement, visitForOfStatement } = walker
  const visitUsing = (visitor: Walker, node: UsingDeclaration) => {
    node.decls = visitor.visitVariableDeclarators(node.decls)
    return node
  }
  walker.visitStatement = function (statement) {
    return isUsing(statement) ? visitUsing(this, statement) : visitStatement.call(this, statement)
  }
  walker.visitForOfStatement = function (statement) {
    // A loop's `using` has nothing to initialise; what is left is a loop over its values.
    if (!isUsing(statement.left)) return visitForOfStatement.call(this, statement)
    const { left } = statement
    const plain = { ...statement, left: { type: 'VariableDeclaration', declarations: left.decls } }
    return visitForOfStatement.call(this, plain)
  }
}

function isUsing(node: Node): node is UsingDeclaration {
  return node.type === 'UsingDeclaration'
}
