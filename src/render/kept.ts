import { IConstruct } from 'constructs';
import { describeError } from '../checks/errors';

/*
 * Generated constructs, which only the library removes. An object whose removal by the program were accepted, such as a
 * policy, would leave access open that it was to close.
 */

/** The errors of a generated construct when the program is complete. */
type Check = () => string[];

const generated = new WeakMap<IConstruct, Map<IConstruct, Check>>();

/** Registers a generated construct. Synthesis fails if the program removes it, or if the check finds errors. */
export function keep<Made extends IConstruct>(made: Made, check: Check = () => []): Made {
  const scope = made.node.scope!;
  const earlier = generated.get(scope);
  const children = earlier ?? new Map<IConstruct, Check>();
  children.set(made, check);
  if (earlier) return made;
  generated.set(scope, children);
  scope.node.addValidation({ validate: () => [...children].flatMap(([child, errorsOf]) => isRemoved(child) ? errorInRemoved(child) : errorsOf()) });
  return made;
}

/** Whether a construct was generated, in contrast to children that a program adds to our constructs. */
export function isKept(construct: IConstruct): boolean {
  return generated.get(construct.node.scope!)?.has(construct) ?? false;
}

/** The construct of the program for which a construct was generated, such as a mesh or a binding. */
export function ownerOf(construct: IConstruct): IConstruct {
  return isKept(construct) ? ownerOf(construct.node.scope!) : construct;
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
