//! Rerank: which documents fit a query best. Other servers that rerank have taken over Cohere's form, so it goes through as it is.

use witgate_sdk::json::{Raw, Str};
use witgate_sdk::{Context, Failure, Kind, Response, Result, Step};

witgate_sdk::object! {
    pub(crate) struct Asked<'a> {
        model: Str<'a>,
        query: Str<'a>,
        documents: Vec<Raw<'a>> [always],
        top_n: Option<u64>,
    }

    struct Answer<'a> {
        results: Option<Raw<'a>>,
    }
}

/// The body for the client's request: the same, with the provider's name of the model.
pub(crate) fn translate<'a>(ctx: &'a Context, body: &'a str) -> Result<Asked<'a>> {
    let mut asked: Asked<'a> = witgate_sdk::openai::parse(body)?;
    if asked.documents.is_empty() {
        return Err(Failure::invalid_request("There must be at least one document.").param("documents"));
    }
    // A field of the first version, which the second refuses.
    asked.rest.take("return_documents");
    asked.model = ctx.model().into();
    Ok(asked)
}

/// The client's answer: the provider's own.
pub(crate) fn answer(reply: &Response) -> Result<Step> {
    let body = reply.text()?;
    match serde_json::from_str::<Answer<'_>>(body) {
        Ok(answer) if answer.results.is_some() => Ok(Step::done_text(body)),
        _ => Err(Failure::new(Kind::Upstream, "The provider gave no ranking.")
            .status(reply.status())
            .upstream_text(body)),
    }
}
