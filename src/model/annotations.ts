import { Annotations } from './model';
import { distinct } from './order';
import type { Accountability, Justification } from '../accountability';

/** Annotations of a declaration: its purpose, owner and other accountability options, as strings. */
export function annotationsOf(declared: Accountability & { readonly agreementId?: string; readonly contact?: string }): Annotations {
  return {
    'purpose': declared.purpose,
    'owner': declared.owner,
    'data-categories': declared.dataCategories && [...declared.dataCategories].sort().join(', '),
    'approved-by': declared.approvedBy,
    'ticket': declared.ticket,
    'review-by': declared.reviewBy,
    'agreement-id': declared.agreementId,
    'contact': declared.contact,
  };
}

/**
 * Merges the annotations of several declarations for one object: each value once, sorted, so that the order of calls
 * does not matter.
 */
export function mergeAnnotations(all: Annotations[]): Annotations {
  if (all.length === 1) return all[0];
  const names = [...new Set(all.flatMap((annotations) => Object.keys(annotations)))];
  return Object.fromEntries(names.map((name) => {
    const texts = distinct(all.flatMap((annotations) => annotations[name] ?? []));
    return [name, texts.length === 0 ? undefined : texts.join('; ')];
  }));
}

/** The reason for a deviation from a default, with approval and ticket, on one line. */
export function reasonOf({ reason, approvedBy, ticket }: Justification): string {
  const agreed = [approvedBy && `approved by ${approvedBy}`, ticket && `ticket ${ticket}`].filter(Boolean).join(', ');
  return agreed ? `${reason.trim()} (${agreed})` : reason.trim();
}
