type Schemas = Omit<Database, "__InternalSupabase">
type Elsewhere = { schema: keyof Schemas }

type Kinds<Schema extends keyof Schemas> = {
  Relations: Schemas[Schema]["Tables"] & Schemas[Schema]["Views"]
  Tables: Schemas[Schema]["Tables"]
  Enums: Schemas[Schema]["Enums"]
  CompositeTypes: Schemas[Schema]["CompositeTypes"]
}
type Kind = keyof Kinds<keyof Schemas>

type Names<K extends Kind> = keyof Kinds<"public">[K] | Elsewhere
type NamesThere<K extends Kind, Name> = Name extends Elsewhere
  ? keyof Kinds<Name["schema"]>[K]
  : never
type Found<K extends Kind, Name, There> = Name extends Elsewhere
  ? There extends keyof Kinds<Name["schema"]>[K]
    ? Kinds<Name["schema"]>[K][There]
    : never
  : Name extends keyof Kinds<"public">[K]
    ? Kinds<"public">[K][Name]
    : never
type Field<Thing, Name extends string> =
  Thing extends Record<Name, infer Value> ? Value : never

// Each takes a name of the default schema, or { schema: "another" } and a name there.

export type Tables<
  Name extends Names<"Relations">,
  There extends NamesThere<"Relations", Name> = never,
> = Field<Found<"Relations", Name, There>, "Row">

export type TablesInsert<
  Name extends Names<"Tables">,
  There extends NamesThere<"Tables", Name> = never,
> = Field<Found<"Tables", Name, There>, "Insert">

export type TablesUpdate<
  Name extends Names<"Tables">,
  There extends NamesThere<"Tables", Name> = never,
> = Field<Found<"Tables", Name, There>, "Update">

export type Enums<
  Name extends Names<"Enums">,
  There extends NamesThere<"Enums", Name> = never,
> = Found<"Enums", Name, There>

export type CompositeTypes<
  Name extends Names<"CompositeTypes">,
  There extends NamesThere<"CompositeTypes", Name> = never,
> = Found<"CompositeTypes", Name, There>
