/** A list whose readers also receive every item that is added later, since declarations may come in any order. */
export class GrowingList<Item> {
  private readonly items: Item[] = [];
  /** Items are sorted when they are read: many are added one after the other. */
  private sorted = true;
  private readonly readers: ((item: Item) => void)[] = [];

  /** Items in the order of `compare`, or in the order in which they were added. */
  constructor(private readonly compare?: (a: Item, b: Item) => number) {}

  public get all(): readonly Item[] {
    if (!this.sorted) this.items.sort(this.compare);
    this.sorted = true;
    return this.items;
  }

  public add(item: Item): void {
    this.items.push(item);
    this.sorted = this.compare === undefined;
    for (const read of [...this.readers]) read(item);
  }

  /** Calls `read` for each item, and for each later one as soon as it is added. */
  public forEachNowAndLater(read: (item: Item) => void): void {
    this.readers.push(read);
    for (const item of [...this.all]) read(item);
  }
}
