/** The stream of snapshots: it comes back by itself, and says at once when it is lost. */

const RETRY_MS = 1000;
// A panel that is stopped in the middle keeps its connections and says nothing: it is asked.
const SILENCE_MS = 3000;
const PATIENCE_MS = 1500;

export class Feed {
  #onSnapshot;
  #onConnection;
  #source = null;
  #heardAt = 0;
  #asking = false;
  connected = null;

  constructor({ onSnapshot, onConnection }) {
    this.#onSnapshot = onSnapshot;
    this.#onConnection = onConnection;
  }

  start() {
    this.#open();
    setInterval(() => this.#watch(), RETRY_MS);
  }

  #open() {
    this.#source?.close();
    this.#source = new EventSource("/api/events");
    this.#source.addEventListener("state", (event) => {
      this.#heard();
      this.#onSnapshot(JSON.parse(event.data));
    });
    this.#source.addEventListener("open", () => this.#heard());
    this.#source.addEventListener("error", () => this.#tell(false));
  }

  /** EventSource gives up on an answer that is an error: it is opened again here. */
  async #watch() {
    if (this.#source.readyState === EventSource.CLOSED) this.#open();
    if (performance.now() - this.#heardAt < SILENCE_MS || this.#asking) return;
    this.#asking = true;
    try {
      const answer = await fetch("/api/session", {
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (!answer.ok) throw new Error(`session: ${answer.status}`);
      if (this.connected === false && this.#source.readyState !== EventSource.CONNECTING)
        this.#open();
      else if (this.#source.readyState === EventSource.OPEN) this.#heard();
    } catch {
      // Whatever it was: there is no answer.
      this.#tell(false);
    } finally {
      this.#asking = false;
    }
  }

  #heard() {
    this.#heardAt = performance.now();
    this.#tell(true);
  }

  #tell(connected) {
    if (connected === this.connected) return;
    this.connected = connected;
    this.#onConnection(connected);
  }
}
