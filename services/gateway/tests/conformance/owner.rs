//! Stands in for every service behind the gateway: it accepts whoever comes, and answers what they say with itself.

use bytes::Bytes;
use carillon_bus::{Handler, Refusal, RefusalKind};
use carillon_contract::{
    Channel, Method, endpoint,
    messages::{
        Accept, AccessReply, AccessRequest, ChannelHead, ClosedNotice, EnterRequest, FrameReply,
        FrameRequest, HeadsReply, HeadsRequest, HistoryReply, HistoryRequest, JwksReply, JwksRequest,
        OpenReply, OpenRequest, RenewReply, RenewRequest, open_reply::Outcome,
    },
};
use prost::Message;

const EPOCH: &str = "e";

#[derive(Clone, Copy)]
pub(crate) struct Owner;

impl Handler for Owner {
    async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        match method {
            OpenRequest::NAME => answer(payload, accept),
            FrameRequest::NAME => answer(payload, |request: FrameRequest| FrameReply {
                frames: vec![request.payload],
                ..FrameReply::default()
            }),
            HeadsRequest::NAME => answer(payload, |request: HeadsRequest| HeadsReply {
                epoch: EPOCH.to_owned(),
                channels: request.channels.into_iter().map(head).collect(),
            }),
            HistoryRequest::NAME => answer(payload, |_: HistoryRequest| HistoryReply {
                epoch: EPOCH.to_owned(),
                first: 1,
                ..HistoryReply::default()
            }),
            AccessRequest::NAME => answer(payload, |_: AccessRequest| AccessReply {
                epoch: EPOCH.to_owned(),
                ..AccessReply::default()
            }),
            RenewRequest::NAME => {
                answer(payload, |_: RenewRequest| RenewReply { generation: "1".to_owned() })
            }
            JwksRequest::NAME => {
                answer(payload, |_: JwksRequest| JwksReply { jwks: "{\"keys\":[]}".to_owned() })
            }
            EnterRequest::NAME => answer(payload, |_: EnterRequest| ()),
            ClosedNotice::NAME => answer(payload, |_: ClosedNotice| ()),
            other => Err(Refusal::new(RefusalKind::UnknownMethod, other)),
        }
    }
}

/// Nobody is greeted, so that the first thing that is heard is an answer.
fn accept(request: OpenRequest) -> OpenReply {
    let session = request.session.expect("a session");
    let templates = endpoint(&session.endpoint).expect("an endpoint").channels.iter();
    let channels: Vec<Channel> = templates
        .filter_map(|template| template.resolve(&session.parameters, None).expect("a name"))
        .collect();
    let channels = channels.iter().map(|channel| head(channel.as_str().to_owned())).collect();
    let accept = Accept { epoch: EPOCH.to_owned(), channels, ..Accept::default() };
    OpenReply { outcome: Some(Outcome::Accept(accept)) }
}

fn head(channel: String) -> ChannelHead {
    ChannelHead { channel, offset: 0 }
}

fn answer<M: Method>(payload: Bytes, answer: impl FnOnce(M) -> M::Reply) -> Result<Bytes, Refusal> {
    let request = M::decode(payload);
    let request = request.map_err(|error| Refusal::new(RefusalKind::Malformed, error.to_string()))?;
    Ok(answer(request).encode_to_vec().into())
}
