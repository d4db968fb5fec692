import { Annotations } from './model';
import type { Accountability, Justification } from '../accountability';

/** What people stated about a declaration, as texts. */
export function annotationsOf(stated: Accountability & { readonly agreementId?: string; readonly contact?: string }): Annotations {
  return {
    'purpose': stated.purpose,
    'owner': stated.owner,
    'data-categories': stated.dataCategories && [...stated.dataCategories].sort().join(', '),
    'approved-by': stated.approvedBy,
    'ticket': stated.ticket,
    'review-by': stated.reviewBy,
    'agreement-id': stated.agreementId,
    'contact': stated.contact,
  };
}

/** What several declarations state about one object: every text once, in an order that the calls do not decide. */
export function mergeAnnotations(all: Annotations[]): Annotations {
  if (all.length === 1) return all[0];
  const names = [...new Set(all.flatMap((annotations) => Object.keys(annotations)))];
  return Object.fromEntries(names.map((name) => {
    const texts = new Set(all.map((annotations) => annotations[name]).filter((text) => text !== undefined));
    return [name, texts.size === 0 ? undefined : [...texts].sort().join('; ')];
  }));
}

/** A deviation and its reason, on one line. */
export function reasonOf({ reason, approvedBy, ticket }: Justification): string {
  const agreed = [approvedBy && `approved by ${approvedBy}`, ticket && `ticket ${ticket}`].filter(Boolean).join(', ');
  return agreed ? `${reason.trim()} (${agreed})` : reason.trim();
}
