import { randomBytes } from "node:crypto";

/** The password of everyone in these tests. */
export const PASSWORD = "carillon";

export interface Person {
  readonly id: number;
  readonly username: string;
  readonly first_name: string;
}

export interface Project {
  readonly id: number;
  readonly key: string;
  readonly name: string;
}

/** A name that no other test has. */
export function unique(word: string): string {
  return `${word}-${randomBytes(4).toString("hex")}`;
}

/** The HTTP API of a deployment, as somebody. */
export class Api {
  constructor(
    readonly base: string,
    readonly token?: string,
  ) {}

  async logIn(username: string): Promise<Api> {
    const { access } = await this.post<{ access: string }>("/api/auth/token/", { username, password: PASSWORD });
    return new Api(this.base, access);
  }

  get<Answer>(path: string): Promise<Answer> {
    return this.#ask("GET", path);
  }

  post<Answer>(path: string, body: unknown): Promise<Answer> {
    return this.#ask("POST", path, body);
  }

  /** For admins: somebody whose first name is `name`. */
  createUser(name: string): Promise<Person> {
    const first_name = name;
    const body = { username: unique(name.toLowerCase()), password: PASSWORD, first_name, last_name: "Test" };
    return this.post("/api/auth/users/", body);
  }

  /** For admins: a project with these members. */
  async createProject(name: string, members: readonly Person[]): Promise<Project> {
    const project = await this.post<Project>("/api/auth/projects/", {
      name,
      key: `T${randomBytes(4).toString("hex").toUpperCase()}`,
    });
    for (const { id } of members) await this.#ask("PUT", `/api/auth/projects/${project.id}/members/${id}/`);
    return project;
  }

  async #ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    const response = await fetch(this.base + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }
}
