import { boundariesIn } from './analysis/boundaries';
import { objectName } from './analysis/documents';
import { readSource, SourceFile } from './analysis/files';
import { manifestsOf } from './analysis/manifests';
import { ConstructPaths, Resources } from './analysis/resources';
import { RULES } from './analysis/rules';
import { fail, show } from './checks/errors';
import { checkList, fieldsOf, isList, parseFields, readGiven } from './checks/kinds';
import { checkJustification, checkNamespace } from './checks/values';
import { DEFAULT_NAMESPACE, DEFAULT_ROOT_NAMESPACE } from './model/constants';

/** The part of cdk8s-cli's plugin interface that is used here. */
interface ValidationContext {
  readonly manifests: string[];
  readonly metadata?: ConstructPaths;
  readonly report: {
    addViolation(violation: Violation): void;
    submit(status: 'success' | 'failure', metadata?: { readonly [key: string]: string }): void;
  };
  parseManifest(path: string): unknown[];
}

interface Violation {
  readonly ruleName: string;
  readonly recommendation: string;
  readonly fix: string;
  readonly violatingResources: { readonly resourceName: string; readonly manifestPath: string; readonly locations: string[] }[];
}

/** An object that may break one rule, with the reason. */
interface Exception {
  /** Name of the rule. */
  readonly rule: string;
  /** `Kind namespace/name`, or `Kind name` for a cluster-scoped object. */
  readonly object: string;
  /** Why the object may break the rule. */
  readonly reason: string;
}

/** The `properties` of the plugin in cdk8s.yaml. */
interface Properties {
  /**
   * Namespaces of boundaries that other programs generate.
   * @default - `istio-federation`
   */
  readonly boundaryNamespaces?: string[];
  /**
   * Istio's root namespace.
   * @default istio-system
   */
  readonly rootNamespace?: string;
  /**
   * Objects that may break a rule.
   * @default - none
   */
  readonly exceptions?: Exception[];
}

const WHERE = 'BoundaryValidation';
const FIELDS = fieldsOf<Properties>({ boundaryNamespaces: true, rootNamespace: true, exceptions: true });
const EXCEPTION_FIELDS = fieldsOf<Exception>({ rule: true, object: true, reason: true });

/**
 * A plugin of `cdk8s synth` that rejects manifests, of whatever origin, that would weaken a boundary.
 *
 * cdk8s.yaml names it, and docs/how-to/validation.md shows how. cdk8s-cli creates it and programs do not, so it is not
 * part of the library in other languages.
 *
 * @internal
 */
export class BoundaryValidation {
  private readonly namespaceNames: string[];
  private readonly rootNamespaceName: string;
  private readonly exceptions: Exception[];

  /** Rejects names that no namespace can have, and exceptions without a reason or for a rule that does not exist. */
  constructor(properties: Properties = {}) {
    const { boundaryNamespaces = [DEFAULT_NAMESPACE], rootNamespace = DEFAULT_ROOT_NAMESPACE, exceptions = [] } =
      parseFields(WHERE, 'properties', properties, FIELDS);
    checkList(WHERE, 'boundaryNamespaces', boundaryNamespaces);
    [...boundaryNamespaces, rootNamespace].forEach((name) => checkNamespace(WHERE, name));
    checkList(WHERE, 'exceptions', exceptions);
    this.namespaceNames = boundaryNamespaces;
    this.rootNamespaceName = rootNamespace;
    this.exceptions = exceptions.map(parseException);
  }

  /** Reads all manifests of an app and reports the objects that break a rule. */
  public async validate(context: ValidationContext): Promise<void> {
    checkContext(context);
    const sources = context.manifests.map((file) => readSource(file, (path) => context.parseManifest(path)));
    const manifests = manifestsOf(sources);
    const boundaries = boundariesIn(manifests, this.namespaceNames, this.rootNamespaceName);
    const resources = new Resources(manifests, context.metadata ?? {});
    const used = new Set<Exception>();
    const violations = RULES.flatMap(({ name, recommendation, fix, errorsIn }): Violation[] => {
      const violating = manifests.map((manifest) => ({ manifest, errors: errorsIn(manifest, boundaries) }))
        .filter(({ errors }) => errors.length > 0)
        .filter(({ manifest }) => {
          const excepted = this.exceptions.filter(({ rule, object }) => rule === name && object === objectName(manifest.document));
          excepted.forEach((exception) => used.add(exception));
          return excepted.length === 0;
        });
      const violatingResources = violating.map(({ manifest, errors }) => resources.describe(manifest, errors));
      return violatingResources.length === 0 ? [] : [{ ruleName: name, recommendation, fix, violatingResources }];
    });
    const unread = sources.filter(({ problems }) => problems.length > 0);
    if (unread.length > 0) violations.push(unreadableFiles(unread));
    const unused = this.exceptions.filter((exception) => !used.has(exception));
    if (unused.length > 0) violations.push(unusedExceptions(unused));
    violations.forEach((violation) => context.report.addViolation(violation));
    context.report.submit(violations.length === 0 ? 'success' : 'failure', {
      documents: String(manifests.length), rules: RULES.map(({ name }) => name).join(', '), exceptions: String(used.size),
    });
  }
}

/** Requires what cdk8s-cli passes. */
function checkContext(context: ValidationContext): void {
  const complete = readGiven(WHERE, 'the context', () => isList(context?.manifests) && context.manifests.every((file) => typeof file === 'string')
    && [context.parseManifest, context.report?.addViolation, context.report?.submit].every((call) => typeof call === 'function'));
  if (complete) return;
  fail('FED120', WHERE, `validate must get the context of cdk8s-cli, not ${show(context)}`, 'name the plugin in cdk8s.yaml, and run cdk8s synth');
}

function parseException(given: Exception): Exception {
  const exception = parseFields(WHERE, 'an exception', given, EXCEPTION_FIELDS);
  const { rule, object } = exception;
  if (!RULES.some(({ name }) => name === rule)) {
    fail('FED120', WHERE, `an exception has the rule ${show(rule)}, which does not exist`, `use one of ${RULES.map(({ name }) => name).join(', ')}`);
  }
  if (typeof object !== 'string' || !/^[A-Z]\w* ([^ /]+\/)?[^ /]+$/.test(object)) {
    fail('FED120', WHERE, `an exception has the object ${show(object)}, which does not have the form "Kind namespace/name"`,
      'write "Kind namespace/name", or "Kind name" for a cluster-scoped object');
  }
  checkJustification(WHERE, `the exception for ${object}`, exception);
  return exception;
}

/** Violation for files that are only read in part: no rule knows what is in the rest. */
function unreadableFiles(files: SourceFile[]): Violation {
  return {
    ruleName: 'unreadable-files',
    recommendation: 'Every file must be readable, since nothing else in it is checked.',
    fix: 'Write the file without aliases that repeat or contain each other, or keep it outside of the output directory.',
    violatingResources: files.map(({ file, problems }) => ({ resourceName: file, manifestPath: file, locations: [...problems] })),
  };
}

/** Violation for exceptions that no object needs: such an exception would hide a later error. */
function unusedExceptions(unused: Exception[]): Violation {
  return {
    ruleName: 'unused-exceptions',
    recommendation: 'Each exception must match an object that exists and breaks the rule.',
    fix: 'Remove the exception from cdk8s.yaml, or correct its object: "Kind namespace/name".',
    violatingResources: unused.map(({ rule, object }) => ({ resourceName: object, manifestPath: 'cdk8s.yaml', locations: [`exceptions: ${rule}`] })),
  };
}
