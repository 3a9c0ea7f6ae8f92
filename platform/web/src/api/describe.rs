//! What the OpenAPI document says of every operation, so that no service has to.

use http::Method;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder,
    Type,
};

/// The header that makes a change safe to send again.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const PROBLEM: &str = "application/problem+json";
const SCHEME: &str = "key";

/// The document of the API of `service`, with what all its operations share: problems with their media type,
/// the key of every change, and which scope is needed.
///
/// An operation that declares its own `security` keeps it: `security(())` for what is open to everybody.
#[must_use]
pub fn described(mut document: OpenApi, service: &str) -> OpenApi {
    for item in document.paths.paths.values_mut() {
        for (method, operation) in of_item(item) {
            describe(operation, &method, service);
        }
    }
    let components = document.components.get_or_insert_with(Components::new);
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.description = Some("An API key: `tradewind key create NAME` makes one.".to_owned());
    components.add_security_scheme(SCHEME, SecurityScheme::Http(bearer));
    let problem = <kernel::Problem as utoipa::PartialSchema>::schema();
    let field = <kernel::FieldError as utoipa::PartialSchema>::schema();
    components
        .schemas
        .entry("Problem".to_owned())
        .or_insert(problem);
    components
        .schemas
        .entry("FieldError".to_owned())
        .or_insert(field);
    document
}

fn describe(operation: &mut Operation, method: &Method, service: &str) {
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if changes {
        let parameters = operation.parameters.get_or_insert_default();
        if !parameters.iter().any(
            |one| matches!(one, RefOr::T(one) if one.name.eq_ignore_ascii_case(IDEMPOTENCY_KEY)),
        ) {
            parameters.push(RefOr::T(idempotency_key()));
        }
    }
    if operation.security.is_none() {
        let action = if changes { "write" } else { "read" };
        let scope = format!("{service}:{action}");
        operation.security = Some(vec![SecurityRequirement::new(SCHEME, [scope])]);
        problem(operation, "401", "Nobody known asks");
        problem(operation, "403", "The caller has not the scope");
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            with_its_media_type(response);
        }
    }
    problem(operation, "default", "What went wrong, and what to do");
}

/// A problem that is declared as plain JSON is one with its own media type.
fn with_its_media_type(response: &mut Response) {
    let content = &mut response.content;
    let is_problem = |content: &RefOr<Content>| match content {
        RefOr::T(content) => {
            matches!(&content.schema, Some(RefOr::Ref(schema)) if schema.ref_location.ends_with("/Problem"))
        }
        RefOr::Ref(_) => false,
    };
    if content.get("application/json").is_some_and(is_problem)
        && let Some(problem) = content.shift_remove("application/json")
    {
        content.insert(PROBLEM.to_owned(), problem);
    }
}

fn problem(operation: &mut Operation, status: &str, description: &str) {
    let schema = Content::new(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new()
        .description(description)
        .content(PROBLEM, schema)
        .build();
    let responses = &mut operation.responses.responses;
    responses
        .entry(status.to_owned())
        .or_insert(RefOr::T(response));
}

fn idempotency_key() -> Parameter {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255));
    ParameterBuilder::new()
        .name(IDEMPOTENCY_KEY)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Makes it safe to send again"))
        .schema(Some(text))
        .build()
}

/// Every operation of a document by method and path.
pub(super) fn operations(document: &OpenApi) -> impl Iterator<Item = (Method, &str)> {
    document.paths.paths.iter().flat_map(|(path, item)| {
        let mut item = item.clone();
        let methods: Vec<Method> = of_item(&mut item).map(|(method, _)| method).collect();
        methods
            .into_iter()
            .map(move |method| (method, path.as_str()))
    })
}

fn of_item(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::HEAD, &mut item.head),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
        (Method::OPTIONS, &mut item.options),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
