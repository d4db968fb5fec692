/** Choices that one number determines, so that a failure can be repeated. */
export class Dice {
  constructor(private state: number) {}

  /** A whole number from 0 to below `size`. */
  public below(size: number): number {
    // mulberry32
    /* eslint-disable no-bitwise */
    this.state = (this.state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % size;
    /* eslint-enable no-bitwise */
  }

  /** Whether something happens that happens once in `often` times. */
  public once(often: number): boolean {
    return this.below(often) === 0;
  }

  public pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)];
  }

  /** Some of the items, at least `least`, in any order. */
  public some<Item>(items: readonly Item[], least = 0, most = items.length): Item[] {
    const left = [...items];
    const size = Math.min(least + this.below(most - least + 1), items.length);
    return Array.from({ length: size }, () => left.splice(this.below(left.length), 1)[0]);
  }

  /** A list of `least` to `most` new items. */
  public list<Item>(least: number, most: number, make: (index: number) => Item): Item[] {
    return Array.from({ length: least + this.below(most - least + 1) }, (_, index) => make(index));
  }

  /** The value, or undefined, which is as likely as the value. */
  public maybe<Value>(make: () => Value, often = 2): Value | undefined {
    return this.once(often) ? make() : undefined;
  }
}
