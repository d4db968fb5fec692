import { IConstruct } from 'constructs';
import { describeError } from '../checks/errors';

/*
 * Generated constructs, which only the library removes. An object whose removal by the program were accepted, such as a
 * policy, would leave access open that it was to close.
 */

const generated = new WeakMap<IConstruct, Set<IConstruct>>();

/** Registers a generated construct. Synthesis fails if the program removes it. */
export function keep<Made extends IConstruct>(made: Made): Made {
  const scope = made.node.scope!;
  const earlier = generated.get(scope);
  const children = earlier ?? new Set<IConstruct>();
  children.add(made);
  if (earlier) return made;
  generated.set(scope, children);
  scope.node.addValidation({ validate: () => [...children].filter(isRemoved).map(errorInRemoved) });
  return made;
}

/** Whether a construct was generated, in contrast to children that a program adds to our constructs. */
export function isKept(construct: IConstruct): boolean {
  return generated.get(construct.node.scope!)?.has(construct) ?? false;
}

/** Removes a generated construct, because no declaration needs it any more. */
export function remove(made: IConstruct): void {
  const { scope, id } = made.node;
  generated.get(scope!)?.delete(made);
  scope!.node.tryRemoveChild(id);
}

/** Whether a construct, or a construct that contains it, was removed from its parent. */
export function isRemoved({ node }: IConstruct): boolean {
  // A class of the program's own may have a node with nothing but a path.
  return (node.scopes ?? []).slice(1).some((construct) => construct.node.scope!.node.tryFindChild(construct.node.id) !== construct);
}

/** The error of a removed construct of the library, such as an export or a policy. */
export function errorInRemoved(construct: IConstruct): string {
  return describeError('FED147', construct, 'the construct was removed from the construct tree, but other objects that belong to it would stay',
    'remove the call that declares it from the program, and do not remove constructs of this library: tryRemoveChild');
}
