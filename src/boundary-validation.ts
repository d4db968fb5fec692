import { boundariesOf } from './analysis/boundaries';
import { ConstructPaths, Manifest, nameOf, Resources } from './analysis/resources';
import { RULES } from './analysis/rules';
import { fail, show } from './checks/errors';
import { checkFields, checkList, fieldsOf } from './checks/kinds';
import { checkJustification, checkNamespace } from './checks/values';
import { DEFAULT_NAMESPACE, DEFAULT_ROOT_NAMESPACE } from './model/constants';

/**
 * A plugin of `cdk8s synth` that refuses manifests, of whatever origin, which would break a boundary. In cdk8s.yaml:
 *
 *     validations:
 *       - package: ./node_modules/cdk8s-mesh-federation
 *         version: 1.0.0
 *         class: BoundaryValidation
 */

/** What cdk8s-cli hands to a plugin, as far as it is used here. */
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

/** What is tolerated, and why. */
interface Exception {
  readonly rule: string;
  /** `Kind namespace/name` */
  readonly object: string;
  readonly reason: string;
}

/** What `properties` in cdk8s.yaml may say. */
interface Properties {
  /**
   * Namespaces of boundaries that other programs write.
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
 * Made by cdk8s-cli and not by programs, so it is no part of the library in other languages.
 * @internal
 */
export class BoundaryValidation {
  private readonly namespaceNames: string[];
  private readonly rootNamespaceName: string;
  private readonly exceptions: Exception[];

  /** Throws FED111 for a name that is no namespace, FED114 for an exception without a reason, FED120 for properties that do not exist. */
  constructor(properties: Properties = {}) {
    checkFields(WHERE, 'properties', properties, FIELDS);
    const { boundaryNamespaces = [DEFAULT_NAMESPACE], rootNamespace = DEFAULT_ROOT_NAMESPACE, exceptions = [] } = properties;
    checkList(WHERE, 'boundaryNamespaces', boundaryNamespaces);
    [...boundaryNamespaces, rootNamespace].forEach((name) => checkNamespace(WHERE, name));
    checkList(WHERE, 'exceptions', exceptions);
    exceptions.forEach(checkException);
    this.namespaceNames = boundaryNamespaces;
    this.rootNamespaceName = rootNamespace;
    this.exceptions = exceptions;
  }

  /** Reads all manifests of an app and reports what breaks a rule. */
  public async validate(context: ValidationContext): Promise<void> {
    const manifests = context.manifests.flatMap((file) => documentsIn(context.parseManifest(file)).map((document): Manifest => ({ file, document })));
    const boundaries = boundariesOf(manifests, this.namespaceNames, this.rootNamespaceName);
    const resources = new Resources(manifests, context.metadata ?? {});
    const used = new Set<Exception>();
    const violations = RULES.flatMap(({ name, recommendation, fix, errorsIn }): Violation[] => {
      const violating = manifests.map((manifest) => ({ manifest, errors: errorsIn(manifest.document, boundaries) }))
        .filter(({ errors }) => errors.length > 0)
        .filter(({ manifest }) => {
          const exception = this.exceptions.find(({ rule, object }) => rule === name && object === nameOf(manifest.document));
          if (exception) used.add(exception);
          return !exception;
        });
      const violatingResources = violating.map(({ manifest, errors }) => resources.describe(manifest, errors));
      return violatingResources.length === 0 ? [] : [{ ruleName: name, recommendation, fix, violatingResources }];
    });
    const unused = this.exceptions.filter((exception) => !used.has(exception));
    if (unused.length > 0) violations.push(unusedExceptions(unused));
    violations.forEach((violation) => context.report.addViolation(violation));
    context.report.submit(violations.length === 0 ? 'success' : 'failure', {
      documents: String(manifests.length), rules: RULES.map(({ name }) => name).join(', '), exceptions: String(used.size),
    });
  }
}

function checkException(exception: Exception): void {
  checkFields(WHERE, 'an exception', exception, EXCEPTION_FIELDS);
  const { rule, object } = exception;
  if (!RULES.some(({ name }) => name === rule)) {
    fail('FED120', WHERE, `an exception has the rule ${show(rule)}, which does not exist`, `use one of ${RULES.map(({ name }) => name).join(', ')}`);
  }
  if (typeof object !== 'string' || !/^[A-Z]\w* ([^ /]+\/)?[^ /]+$/.test(object)) {
    fail('FED120', WHERE, `an exception has the object ${show(object)}, which does not have the form "Kind namespace/name"`,
      'write "Kind namespace/name", or "Kind name" for a cluster-scoped object');
  }
  checkJustification(WHERE, `the exception for ${object}`, exception);
}

/** An exception that nothing needs would hide the next mistake. */
function unusedExceptions(unused: Exception[]): Violation {
  return {
    ruleName: 'unused-exceptions',
    recommendation: 'An exception is for an object that is there and breaks the rule.',
    fix: 'Remove it from cdk8s.yaml, or correct its object: "Kind namespace/name".',
    violatingResources: unused.map(({ rule, object }) => ({ resourceName: object, manifestPath: 'cdk8s.yaml', locations: [`exceptions: ${rule}`] })),
  };
}

/** Objects, those of lists among them. */
function documentsIn(parsed: unknown[]): any[] {
  return parsed.flatMap((document: any) => {
    if (document === null || typeof document !== 'object') return [];
    return Array.isArray(document.items) && /List$/.test(document.kind) ? documentsIn(document.items) : [document];
  });
}
